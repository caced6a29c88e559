"""What is older than the policy keeps leaves the store and the tables; the sums stay as they are."""
