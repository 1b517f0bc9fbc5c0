pub mod ids; pub mod fault; pub mod dialect;
