import { Link } from "@/components/link";

export default function NotFound() {
  return (
    <div className="panel empty">
      <h1>There is no such page</h1>
      <p className="soft">What was here may be sold no longer.</p>
      <Link className="button" href="/">Look around</Link>
    </div>
  );
}
