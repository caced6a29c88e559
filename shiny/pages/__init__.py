"""One module for each page: its title, its queries, and its parts."""
