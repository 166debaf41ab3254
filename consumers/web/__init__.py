"""What every HTTP server of Lapwing is made of: the server, bounded bodies, and how requests are counted."""
