import { cpus } from "node:os";
import { describeThreads } from "../testing/threads.ts";

describeThreads(cpus().length);
