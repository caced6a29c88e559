"""The storefront on this machine: its Node, its build and its database."""
