import type { Metadata, Viewport } from "next";
import { cookies } from "next/headers";
import type { ReactNode } from "react";
import { ConsentBanner } from "@/components/consent";
import { Header } from "@/components/header";
import { SignedIn } from "@/components/signed-in";
import { currentUser } from "@/lib/auth/session";
import { CONSENT_COOKIE, isChoice } from "@/lib/consent";
import "./shop.css";
import "./goods.css";

export const metadata: Metadata = {
  title: { default: "Bitforge: computers and accessories", template: "%s | Bitforge" },
  description: "Bitforge, an invented shop for computers and accessories.",
};
export const viewport: Viewport = { colorScheme: "light dark" };

export default async function Layout({ children }: { children: ReactNode }) {
  const cookie = (await cookies()).get(CONSENT_COOKIE)?.value;
  const chosen = isChoice(cookie) ? cookie : null;
  return (
    <html lang="en" data-collector={process.env.CLICKSTREAM_URL} data-consent={chosen ?? undefined}>
      <body>
        <a className="skip" href="#main">Skip to the content</a>
        {(await currentUser()) && <SignedIn />}
        <Header />
        <main id="main" tabIndex={-1}>{children}</main>
        <footer className="foot">
          <p>Bitforge is an invented shop. It sells nothing, and takes test cards only.</p>
          <ConsentBanner chosen={chosen} />
        </footer>
      </body>
    </html>
  );
}
