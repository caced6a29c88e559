"""The small raw objects of closed hours become large ones, and the tables do not notice."""
