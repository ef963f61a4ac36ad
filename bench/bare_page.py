"""The peer in `bench.first_paint`: the least a page of Streamlit's is, under its own server and settings."""

import streamlit as st

st.title("Bare")
