import type { Options, Tracker } from "./types";
/** Begin. A second call gives the tracker of the first. */
export declare function start(options?: Options): Tracker;
