"""The lessons as web pages: visitors see and play, and run no code of their own."""
