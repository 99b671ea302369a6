"""What all pages share: rendering, forms, sessions, errors, and the headers that keep a browser safe."""
