# SPDX-License-Identifier: BSD-3-Clause
# Certificates, requests and keys in memory, with OpenSSL.

libcerts_a_SOURCES += \
	certs/x509/chain.c \
	certs/x509/chain.h \
	certs/x509/decode.c \
	certs/x509/decode.h \
	certs/x509/encode.c \
	certs/x509/encode.h \
	certs/x509/identity.c \
	certs/x509/identity.h \
	certs/x509/issue.c \
	certs/x509/issue.h
