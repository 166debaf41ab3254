"""Why a customer is warned of, and what would end it."""
