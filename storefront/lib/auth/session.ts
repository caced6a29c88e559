/** Who is signed in. */
import "server-only";

export interface User {
  /** `users.user_id`. */
  id: string;
  email: string;
  name: string | null;
  /** In the group `admin` of the token: may refund. */
  isAdmin: boolean;
}

/** The buyer who is signed in; nobody for a guest. */
export async function currentUser(): Promise<User | null> {
  return null;
}
