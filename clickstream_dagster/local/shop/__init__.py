"""The demo shop: a static storefront on the generator's catalogue, with the tracker on it as on a user's own shop."""
