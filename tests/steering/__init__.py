"""What a user steers a sync with: budgets, personal data, product types."""
