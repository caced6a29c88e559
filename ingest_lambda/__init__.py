"""The collector: one HTTP request in, one durable raw object out. Deployed alone; imports nothing else of ours."""
