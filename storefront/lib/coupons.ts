/** Coupon codes, and by how many percent each lowers the price of the goods. */
import "server-only";

const COUPONS: Record<string, number> = { WELCOME10: 10 };

export interface Coupon {
  code: string;
  percent: number;
}

/** The coupon of this code, however it is typed. */
export function findCoupon(typed: string): Coupon | undefined {
  const code = typed.trim().toUpperCase();
  return Object.hasOwn(COUPONS, code) ? { code, percent: COUPONS[code]! } : undefined;
}
