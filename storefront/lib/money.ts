/** Amounts are whole cents here: a sum of them is exact. The database and the events have decimals. */

export const cents = (amount: { toString(): string }): number => Math.round(Number(amount) * 100);

/** As the database and the event contract write it. */
export const decimal = (amount: number): string => (amount / 100).toFixed(2);

export const money = (amount: number, currency: string): string =>
  new Intl.NumberFormat("en-US", { style: "currency", currency }).format(amount / 100);
