// What the desk does in the browser beyond htmx.
