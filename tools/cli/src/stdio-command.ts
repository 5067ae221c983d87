/**
 * `smooth-topk stdio`: its options.
 */
import { Command } from "commander";
import { backendOption, openBackend } from "./backends.ts";
import { serve } from "./stdio.ts";

export function stdioCommand(): Command {
  return new Command("stdio")
    .description("Serve the port protocol: one JSON request per line in, one JSON answer per line out.")
    .addOption(backendOption())
    .action(async ({ backend: name }: { backend: string }) => {
      const backend = await openBackend(name);
      try {
        await serve(backend, process.stdin, process.stdout);
      } finally {
        await backend.destroy();
      }
    });
}
