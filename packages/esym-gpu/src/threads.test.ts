import { describeThreads } from "../testing/threads.ts";

describeThreads();
