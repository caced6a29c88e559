import NextLink from "next/link";
import type { ComponentProps } from "react";

/** A link that fetches nothing before it is followed: a page has dozens of them, and the next one is there in a blink. */
export const Link = (props: ComponentProps<typeof NextLink>) => <NextLink prefetch={false} {...props} />;
