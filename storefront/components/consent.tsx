"use client";

import type { Consent } from "clickstream-tracker";
import { useState } from "react";
import { CHOICES, isChoice, keepChoice } from "@/lib/consent";
import { tracker } from "@/lib/tracker";

/** The question, until it is answered; and the button that asks it again. */
export function ConsentBanner({ chosen }: { chosen: Consent | null }) {
  const [isOpen, setOpen] = useState(!chosen);
  const choose = (choice: Consent) => {
    keepChoice(choice);
    tracker().consent(choice);
    setOpen(false);
  };
  return (
    <>
      <button className="link" onClick={() => setOpen(true)} aria-expanded={isOpen}>Privacy choices</button>
      {isOpen && (
        <section className="consent" aria-labelledby="consent-title">
          <div>
            <h2 id="consent-title">May we count your visit?</h2>
            <p>Until you choose, nothing about your visit is noted or sent. You can change your mind at any time, below.</p>
          </div>
          <div className="choices">
            {Object.entries(CHOICES).map(
              ([choice, label]) =>
                isChoice(choice) && (
                  <button key={choice} className="button plain" onClick={() => choose(choice)}>{label}</button>
                ),
            )}
          </div>
        </section>
      )}
    </>
  );
}
