"""A schema registry from Maven Central, Apicurio's, which speaks Confluent's protocol, for tests."""
