# SPDX-License-Identifier: BSD-3-Clause
# The two stores, the arbiter's and a node's, each in two forms, and the folders and files that they are made of.

libcerts_a_SOURCES += \
	certs/store/authority.c \
	certs/store/authority.h \
	certs/store/authority_internal.h \
	certs/store/authority_nss.c \
	certs/store/authority_pem.c \
	certs/store/authority_transfer.c \
	certs/store/folder.c \
	certs/store/folder.h \
	certs/store/issued.c \
	certs/store/issued.h \
	certs/store/node_internal.h \
	certs/store/node_nss.c \
	certs/store/node_pem.c \
	certs/store/node_store.c \
	certs/store/node_store.h \
	certs/store/nss_db.c \
	certs/store/nss_db.h \
	certs/store/nss_folder.c \
	certs/store/nss_folder.h \
	certs/store/pem_files.c \
	certs/store/pem_files.h \
	certs/store/place.c \
	certs/store/place.h \
	certs/store/roll_over.c \
	certs/store/roll_over.h
