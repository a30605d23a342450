"""The studio: a page in which a drawing becomes an object, without a server behind it."""
