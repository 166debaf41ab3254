"""The win-back list: who has left, why, what the last warning brought, and what the customer is worth."""
