/** The shop's own database. One pool for the process; in development it outlives a reload. */
import "server-only";
import { PrismaPg } from "@prisma/adapter-pg";
import { PrismaClient } from "@/generated/prisma/client";

const kept = globalThis as { shopDatabase?: PrismaClient };

function connect(): PrismaClient {
  const connectionString = process.env.DATABASE_URL;
  if (!connectionString) throw new Error("DATABASE_URL is not set: name the shop's PostgreSQL, or run make shop.");
  const ca = process.env.DATABASE_CERTIFICATE; // that of the server, or of who has signed it: then nothing else is believed
  const ssl = ca ? { ca, host: new URL(connectionString).hostname } : undefined;
  return new PrismaClient({ adapter: new PrismaPg({ connectionString, ssl, max: 10 }) });
}

/** Opened at the first question, so that a build needs none. */
export const db = (): PrismaClient => (kept.shopDatabase ??= connect());
