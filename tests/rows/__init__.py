"""The streams with several rows per session, made from what another stream fetches anyway."""
