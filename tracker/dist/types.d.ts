/** What a shop's developer meets: the options and the calls. The fields are those of the event contract. */
import type { Event, Order, OrderItem, Product } from "./event.js";
export type { Event, EventName, Order, OrderItem, Product } from "./event.js";
/** What the visitor has agreed to. `none`: nothing is stored or sent. `essential`: sent, but no id is stored. */
export type Consent = "none" | "essential" | "granted";
export type Switch = "on" | "off";
/** The options; as data attributes of the script tag they are `data-endpoint`, `data-cookie-domain`, ... */
export interface Options {
    /** Where events are sent: the collector's `/clickstream`. Default: that path on the page's own host. */
    endpoint?: string;
    /** What holds until `consent()` is called. Default: `granted`. */
    consent?: Consent;
    /** The domain of the cookie, for shops on several subdomains. Default: the page's own host. */
    cookieDomain?: string;
    /** `on`: never store anything, whatever the consent; at most `essential`. */
    cookieless?: Switch;
    /** The share of visitors that are tracked, 0 to 1. A visitor is in or out for good. Default: 1. */
    sample?: string | number;
    /** `ignore` gives no meaning to Global Privacy Control and Do Not Track, which else allow `essential` at most. */
    gpc?: "ignore";
    /** `off`: no page views of the History API's making. */
    spa?: Switch;
    /** `off`: no clicks on links to other hosts and to files. */
    links?: Switch;
    /** `off`: no engaged time. */
    engagement?: Switch;
}
/** Any field of an event that the page may know. What the contract does not name belongs in `props`. */
export type Fields = Partial<Omit<Event, "event_id" | "event_name" | "event_timestamp" | "received_at" | "sent_at" | "client_timestamp" | "time_source">>;
export type Props = Record<string, unknown>;
/** A product as it is shown; the currency of its price may stand beside it. */
export type ShownProduct = Product & {
    currency?: string;
};
/** An order; its lines need what is bought and for how much. */
export type PlacedOrder = Order & {
    items?: OrderItem[];
};
/** What makes a reload of the thank-you page harmless is its id. */
export type NamedOrder = PlacedOrder & {
    id: string;
};
export interface Stats {
    /** Events that the collector has accepted. */
    sent: number;
    /** Events that are gone, by reason: an HTTP status, or `rejected`, `expired`, `too_much`, `failed`. */
    dropped: Record<string, number>;
}
/** The tracker. No call throws, and no promise rejects. */
export interface Tracker {
    pageView(fields?: Fields): void;
    viewProduct(product: ShownProduct): void;
    addToCart(product: ShownProduct, quantity?: number): void;
    removeFromCart(product: ShownProduct, quantity?: number): void;
    checkout(order?: PlacedOrder): void;
    purchase(order: NamedOrder): void;
    refund(order: NamedOrder): void;
    search(query: string, props?: Props): void;
    click(name: string, props?: Props): void;
    /** Any other event, or one of the above with more fields. */
    track(name: string, fields?: Fields): void;
    /** The shop's own id of the customer, or an ID token, of which the `sub` is taken. */
    login(userIdOrIdToken: string): void;
    /** Forget the user and take a new session id; with `client`, be a new visitor. */
    logout(options?: {
        client?: boolean;
    }): void;
    /** What the visitor has just decided. Less than before: everything that was kept is removed, in all tabs. */
    consent(level: Consent): void;
    /** Send what waits; settles when it is acknowledged, or has failed for now. */
    flush(): Promise<void>;
    /** How many events wait in this browser: for the collector, or for consent. */
    pending(): Promise<number>;
    /** A call by its name: `push(["purchase", order])`. The same before the script has loaded. */
    push(...calls: [name: string, ...given: unknown[]][]): void;
    readonly stats: Stats;
}
