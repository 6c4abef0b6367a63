"""One JSON an index template, named as in OpenSearch; read with importlib.resources."""
