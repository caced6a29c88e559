"use client";

/** What is shown when a page or an action fails: nothing of why, which the server's log says. */
export default function Failed({ reset }: { reset: () => void }) {
  return (
    <div className="panel empty">
      <h1>Something went wrong</h1>
      <p className="soft">It is our fault. Try again in a moment: an order is placed once, however often you try.</p>
      <button className="button" onClick={reset}>Try again</button>
    </div>
  );
}
