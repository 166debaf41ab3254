"""What changes while somebody looks.

`feed` hands out events to whoever listens, `follower` reads what is new in the database and puts it there,
`presence` is who looks at which customer, in whatever process of the desk.
"""
