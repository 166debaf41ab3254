# One image for every service: docker compose says which `lapwing` command each runs.
FROM python:3.11.15-slim AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE NOTICE ./
COPY streams streams
COPY consumers consumers
COPY lapwing lapwing
RUN python -m venv /opt/lapwing \
 && /opt/lapwing/bin/pip install --no-cache-dir -c constraints.txt '.[desk,oidc,postgres,registry,report,s3,xlsx]'

FROM python:3.11.15-slim
# WeasyPrint writes the PDF of a report with Pango, and needs a font for each language.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 \
    fonts-dejavu-core fonts-noto-cjk \
 && rm -rf /var/lib/apt/lists/*
RUN groupadd --system --gid 10001 lapwing \
 && useradd --system --uid 10001 --gid lapwing --home-dir /var/lib/lapwing --create-home lapwing
COPY --from=build /opt/lapwing /opt/lapwing
COPY warning_rules /etc/lapwing/warning_rules
# What libraries keep for themselves, such as the list of fonts, goes where a read-only container can write.
ENV PATH=/opt/lapwing/bin:$PATH PYTHONUNBUFFERED=1 XDG_CACHE_HOME=/tmp/cache LAPWING_RULES=/etc/lapwing/warning_rules
USER 10001:10001
WORKDIR /var/lib/lapwing
ENTRYPOINT ["lapwing"]
CMD ["--help"]
