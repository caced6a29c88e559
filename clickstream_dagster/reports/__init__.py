"""Weekly and monthly reports: which are due, how they are made and sent, and to whom they have been."""
