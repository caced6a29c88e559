import type { Metadata } from "next";
import { Link } from "@/components/link";
import { SignOut } from "@/components/sign-out";
import { currentUser } from "@/lib/auth/session";

export const metadata: Metadata = { title: "Your account" };

export default async function Account() {
  const user = await currentUser();
  if (!user)
    return (
      <div className="panel narrow">
        <h1>Sign in</h1>
        <p>With an account you see your orders on every device. You can buy without one.</p>
        <a className="button" href="/auth/sign-in?return=/account">Sign in or sign up</a>
      </div>
    );
  return (
    <div className="panel narrow">
      <h1>Hello, {user.name ?? user.email}</h1>
      <p className="soft">{user.email}</p>
      <div className="actions">
        <Link className="button" href="/orders">Your orders</Link>
        {user.isAdmin && (
          <Link className="button plain" href="/admin">Back office</Link>
        )}
        <SignOut />
      </div>
    </div>
  );
}
