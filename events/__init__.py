"""What happens: events, from a plan line to a thing that was held."""
