/** For shops that bundle: `import { start } from "clickstream-tracker"`. */
export { start } from "./tracker.js";
export type * from "./types.js";
