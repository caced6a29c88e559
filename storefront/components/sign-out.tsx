"use client";

import { signOut } from "@/app/auth/actions";
import { tracker } from "@/lib/tracker";

export function SignOut() {
  return (
    <form action={signOut} onSubmit={() => tracker().logout()}>
      <button className="button plain">Sign out</button>
    </form>
  );
}
