"""The real Meltano with this repository's own meltano.yml, from the sandbox into real targets."""
