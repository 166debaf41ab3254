"""How fast Lapwing is: the engine alone, a replay, and the worker beside other ways to do the same job."""
