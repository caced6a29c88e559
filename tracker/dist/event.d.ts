/** Generated from `ingest_lambda/contract.py` by `python -m ingest_lambda.schema`. Do not edit. */
export type EventName = "page_view" | "view_product" | "click" | "search" | "add_to_cart" | "remove_from_cart" | "checkout" | "purchase" | "refund" | "login" | "view_item_list" | "select_item";
/** What the browser says of itself. */
export interface Device {
    type?: string;
    os?: string;
    browser?: string;
    language?: string;
    screen?: string;
}
/** Where the visitor is, never finer than a city. Country is ISO 3166 alpha-2. */
export interface Geo {
    /** ISO 3166 alpha-2, upper case. */
    country?: string;
    region?: string;
    city?: string;
}
/** The product that an event is about. `discount_price`, where given, is the price that is paid. */
export interface Product {
    id?: string;
    name?: string;
    category?: string;
    brand?: string;
    /** Zero or more, below one billion. Digits beyond the sixth decimal are rounded, half to even. */
    price?: number | string;
    /** Zero or more, below one billion. Digits beyond the sixth decimal are rounded, half to even. */
    discount_price?: number | string;
    url_path?: string;
}
/** What was bought (purchase) or given back (refund). `id` makes a reload of the thank-you page harmless. `value` is what     was paid in the end; tax, shipping and discount explain how it differs from the items, and are not added to it. */
export interface Order {
    id?: string;
    /** Zero or more, below one billion. Digits beyond the sixth decimal are rounded, half to even. */
    value?: number | string;
    /** ISO 4217, upper case; never XXX. */
    currency?: string;
    /** Zero or more, below one billion. Digits beyond the sixth decimal are rounded, half to even. */
    tax?: number | string;
    /** Zero or more, below one billion. Digits beyond the sixth decimal are rounded, half to even. */
    shipping?: number | string;
    /** Zero or more, below one billion. Digits beyond the sixth decimal are rounded, half to even. */
    discount?: number | string;
    coupon?: string;
    items?: OrderItem[];
}
/** One line of an order, of a cart or of a list that was shown. `price` is the price paid for one piece. */
export interface OrderItem {
    product_id?: string;
    name?: string;
    category?: string;
    brand?: string;
    /** Zero or more, below one billion. Digits beyond the sixth decimal are rounded, half to even. */
    price?: number | string;
    quantity?: number;
}
/** What of an accepted event could not be kept as it was sent; it lies in `props`. `field` is its path. */
export interface EventWarning {
    code: string;
    field?: string;
}
/** One thing that one visitor did: one line of a raw object. */
export interface Event {
    event_id: string;
    /** Lower case, at most 64 characters. */
    event_name: string;
    event_timestamp: string;
    received_at: string;
    sent_at?: string;
    client_timestamp?: string;
    time_source?: "client" | "corrected" | "received";
    client_id?: string;
    session_id?: string;
    user_id?: string;
    user_login_state?: string;
    identity_source?: string;
    is_first_visit?: boolean;
    page_url?: string;
    page_title?: string;
    referrer?: string;
    device?: Device;
    geo?: Geo;
    product?: Product;
    quantity?: number;
    /** ISO 4217, upper case; never XXX. */
    currency?: string;
    order?: Order;
    items?: OrderItem[];
    list_name?: string;
    search_query?: string;
    experiment?: string;
    variant?: string;
    consent?: string;
    is_gpc?: boolean;
    is_dnt?: boolean;
    user_agent?: string;
    tracker_version?: string;
    props?: Record<string, unknown>;
    warnings?: EventWarning[];
}
