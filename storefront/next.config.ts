import { join } from "node:path";
import type { NextConfig } from "next";

const config: NextConfig = {
  poweredByHeader: false,
  // The tracker lies beside this folder.
  outputFileTracingRoot: join(import.meta.dirname, ".."),
};

export default config;
