"""Documents to OpenSearch: in batches, each with a verdict, none forgotten before it is final."""
