"""What speaks to the outside: the only place with SMTP and IMAP libraries."""
