"""Break the engine of deliveries in every way its design names, with real processes."""
