export type { ArrayLike2d, Dtype } from "./border.ts";
