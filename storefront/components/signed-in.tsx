/** Tells the tracker who is signed in, by a token that the collector checks. It draws nothing. */
"use client";

import { useRouter } from "next/navigation";
import { useEffect } from "react";
import { tracker } from "@/lib/tracker";

const EARLY = 30; // seconds before a token ends; by then the server gives another one

export function SignedIn() {
  const router = useRouter();
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    async function tell(): Promise<void> {
      const answer = await fetch("/auth/token").catch(() => null);
      if (answer?.status === 401) {
        tracker().logout(); // the session is over, here or at the provider
        return router.refresh();
      }
      const { token, seconds } = answer?.ok ? await answer.json() : { token: null, seconds: 0 };
      if (token) tracker().login(token);
      timer = setTimeout(tell, Math.max(seconds - EARLY, EARLY) * 1_000);
    }
    void tell();
    return () => clearTimeout(timer);
  }, [router]);
  return null;
}
