import type { Metadata } from "next";

export const metadata: Metadata = { title: "Not signed in" };

export default function Failed() {
  return (
    <>
      <h1>You are not signed in</h1>
      <p>The sign-in was cancelled, took too long, or was begun in another window. Your cart is still here.</p>
      <p>
        <a href="/auth/sign-in">Sign in again</a>
      </p>
    </>
  );
}
