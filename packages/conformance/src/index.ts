export { errorInU, largestErrorInU, UNIT_ROUNDOFF } from "./error-in-u.ts";
