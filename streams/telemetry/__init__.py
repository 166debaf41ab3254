"""How a process shows how it is: its log, its metrics, its health, and the endpoint that serves these.

Every process of Lapwing has one registry and one endpoint. What a process counts stays with the process; here
is what turns its figures into Prometheus' metrics.
"""
