# Sartor with the drivers of every engine and its bundled model. It runs as a user without rights and keeps what it
# derives below /data. Build it with: docker build -t sartor .

FROM python:3.13-slim AS build
WORKDIR /checkout
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY src ./src
RUN python -m venv /opt/sartor \
    && /opt/sartor/bin/pip install --no-cache-dir --constraint constraints.txt ".[mongodb,opensearch,s3,redis]"

FROM python:3.13-slim
RUN useradd --uid 10001 --no-create-home sartor \
    && mkdir --mode 0700 /data \
    && chown 10001 /data
COPY --from=build /opt/sartor /opt/sartor
ENV PATH=/opt/sartor/bin:$PATH \
    HOME=/data \
    SARTOR_HOME=/data/sartor \
    PYTHONUNBUFFERED=1
USER 10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --start-period=2m --interval=10s --timeout=6s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/health/ready', timeout=5)"]
ENTRYPOINT ["sartor"]
CMD ["serve", "--host", "0.0.0.0"]
